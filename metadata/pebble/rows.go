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
//
// Values are JSON objects. A program that meets fields it does not know keeps them when it rewrites a row; only "m" is ever rewritten.
var keyMeta = []byte("m")

const (
	kindStrategy   = 's'
	kindService    = 'v'
	kindDefinition = 'd'
	kindActivity   = 'a'
)

func keyName(kind byte, name string) []byte { return append([]byte{kind}, name...) }

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
}

type serviceRow struct {
	Name        string `json:"name"`
	URL         string `json:"url"`
	Destination uint32 `json:"destination"`
	CreatedMs   int64  `json:"created_ms"`
}

type definitionRow struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Text      []byte `json:"text"` // base64: the text is kept byte for byte
	Enabled   bool   `json:"enabled"`
	Order     uint64 `json:"order"`
	CreatedMs int64  `json:"created_ms"`
}

type activityRow struct {
	Number      uint32          `json:"number"`
	Name        string          `json:"name"`
	DisplayName string          `json:"display_name,omitempty"`
	Definition  string          `json:"definition"`
	State       uint8           `json:"state"`
	Config      json.RawMessage `json:"config"` // metadata.EncodeConfig
	CreatedMs   int64           `json:"created_ms"`
}

func encodeActivity(a metadata.Activity) ([]byte, error) {
	config, err := metadata.EncodeConfig(a.Config)
	if err != nil {
		return nil, err
	}
	return json.Marshal(activityRow{
		Number: a.Number, Name: a.Name, DisplayName: a.DisplayName, Definition: a.Definition,
		State: uint8(a.State), Config: config, CreatedMs: a.CreatedMs,
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
		State: activity.State(r.State), Config: config, CreatedMs: r.CreatedMs,
	}, nil
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
