package pebble

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/metadata"
)

// Format is the number of the row format below. A store of a greater one is refused.
const Format = 1

// Keys: one letter for the kind, then what orders the rows as Records are ordered.
//
//	m            format, revision and the numbers drawn so far
//	s <name>     strategy
//	v <name>     service
//	d <order 8>  definition version
//	a <number 4> activity
//	g v <name>   what is left of a deleted service: its destination
//	g d <name>   what is left of deleted versions of a definition: the greatest number among them
//
// Values are JSON objects. A program that meets fields it does not know keeps them when it rewrites a row.
var keyMeta = []byte("m")

const (
	kindStrategy   = 's'
	kindService    = 'v'
	kindDefinition = 'd'
	kindActivity   = 'a'
	kindGone       = 'g'
)

func keyName(kind byte, name string) []byte { return append([]byte{kind}, name...) }

func keyGone(kind byte, name string) []byte { return append([]byte{kindGone, kind}, name...) }

func keyOrder(order uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kindDefinition}, order)
}

func keyNumber(number uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{kindActivity}, number)
}

// meta is the row "m": the numbers are the greatest drawn so far, so that none is ever given twice.
type meta struct {
	Format      uint32 `json:"format"`
	Revision    uint64 `json:"revision"`
	Destination uint32 `json:"destination"`
	Order       uint64 `json:"order"`
	Number      uint32 `json:"number"`

	unknown map[string]json.RawMessage // fields of a newer program
}

func (m meta) encode() ([]byte, error) {
	known, err := json.Marshal(m)
	if err != nil || len(m.unknown) == 0 {
		return known, err
	}
	all := map[string]json.RawMessage{}
	for k, v := range m.unknown {
		all[k] = v
	}
	if err := json.Unmarshal(known, &all); err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

func decodeMeta(text []byte) (meta, error) {
	var m meta
	if err := json.Unmarshal(text, &m); err != nil {
		return meta{}, err
	}
	if m.Format == 0 || m.Format > Format {
		return meta{}, fmt.Errorf("it has format %d and this program reads formats 1 to %d: use the program that wrote it, or a newer one", m.Format, Format)
	}
	if err := json.Unmarshal(text, &m.unknown); err != nil {
		return meta{}, err
	}
	for _, known := range []string{"format", "revision", "destination", "order", "number"} {
		delete(m.unknown, known)
	}
	return m, nil
}

type strategyRow struct {
	Name      string `json:"name"`
	When      string `json:"when"`
	DomainID  string `json:"domain_id"`
	CreatedMs int64  `json:"created_ms"`
	UpdatedMs int64  `json:"updated_ms"`
	Revision  uint64 `json:"revision"`
}

type serviceRow struct {
	Name        string `json:"name"`
	URL         string `json:"url"`
	Destination uint32 `json:"destination"`
	CreatedMs   int64  `json:"created_ms"`
	UpdatedMs   int64  `json:"updated_ms"`
	Revision    uint64 `json:"revision"`
}

type definitionRow struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Text      []byte `json:"text"` // base64: the text is kept byte for byte
	Enabled   bool   `json:"enabled"`
	Order     uint64 `json:"order"`
	CreatedMs int64  `json:"created_ms"`
	UpdatedMs int64  `json:"updated_ms"`
	Revision  uint64 `json:"revision"`
}

type activityRow struct {
	Number      uint32          `json:"number"`
	Name        string          `json:"name"`
	DisplayName string          `json:"display_name"`
	Definition  string          `json:"definition"`
	State       uint8           `json:"state"`
	Config      json.RawMessage `json:"config"` // metadata.EncodeConfig
	CreatedMs   int64           `json:"created_ms"`
	UpdatedMs   int64           `json:"updated_ms"`
	Revision    uint64          `json:"revision"`
	StateAt     uint64          `json:"state_at"`
}

func encodeActivity(a metadata.Activity) ([]byte, error) {
	config, err := metadata.EncodeConfig(a.Config)
	if err != nil {
		return nil, err
	}
	return json.Marshal(activityRow{
		Number: a.Number, Name: a.Name, DisplayName: a.DisplayName, Definition: a.Definition,
		State: uint8(a.State), Config: config, CreatedMs: a.CreatedMs, UpdatedMs: a.UpdatedMs, Revision: a.Revision, StateAt: a.StateAt,
	})
}

func decodeActivity(text []byte) (metadata.Activity, error) {
	var r activityRow
	if err := json.Unmarshal(text, &r); err != nil {
		return metadata.Activity{}, err
	}
	config, err := metadata.DecodeConfig(r.Config)
	if err != nil {
		return metadata.Activity{}, err
	}
	return metadata.Activity{
		Number: r.Number, Name: r.Name, DisplayName: r.DisplayName, Definition: r.Definition,
		State: activity.State(r.State), Config: config, CreatedMs: r.CreatedMs, UpdatedMs: r.UpdatedMs, Revision: r.Revision, StateAt: r.StateAt,
	}, nil
}

// goneRow is what must be known of something deleted, so that what was drawn for it is never drawn for something else.
type goneRow struct {
	Destination uint32 `json:"destination"`
	Greatest    uint64 `json:"greatest"`
}

// merged lays the fields of row over those that lie on disk: what a newer program wrote stays.
func merged(old, row []byte) ([]byte, error) {
	if len(old) == 0 {
		return row, nil
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(old, &all); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(row, &all); err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// addRow decodes one row into r, which grows in the order of the keys.
func addRow(r *metadata.Records, key, value []byte) error {
	switch key[0] {
	case kindStrategy:
		var row strategyRow
		if err := json.Unmarshal(value, &row); err != nil {
			return err
		}
		r.Strategies = append(r.Strategies, metadata.Strategy(row))
	case kindService:
		var row serviceRow
		if err := json.Unmarshal(value, &row); err != nil {
			return err
		}
		r.Services = append(r.Services, metadata.Service(row))
	case kindDefinition:
		var row definitionRow
		if err := json.Unmarshal(value, &row); err != nil {
			return err
		}
		r.Definitions = append(r.Definitions, metadata.Definition(row))
	case kindActivity:
		a, err := decodeActivity(value)
		if err != nil {
			return err
		}
		r.Activities = append(r.Activities, a)
	}
	return nil // rows of other kinds belong to a newer program and stay as they are
}
