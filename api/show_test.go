package api

import (
	"encoding/json"
	"testing"
)

func TestNumbersAndTimes(t *testing.T) {
	for want, v := range map[string]any{
		`9007199254740991`: number(1<<53 - 1), `"9007199254740992"`: number(1 << 53), `0`: number(0), `null`: stamp(0),
		`"2023-11-14T22:13:20.007Z"`: stamp(1_700_000_000_007), `"1969-12-31T23:59:59.999Z"`: stamp(-1),
		`["-9007199254740992",-9007199254740991,{"a":"9223372036854775807"}]`: shown([]any{int64(-1 << 53), int64(1 - 1<<53), map[string]any{"a": int64(1<<63 - 1)}}),
	} {
		if got, err := json.Marshal(v); err != nil || string(got) != want {
			t.Errorf("expected %s, got %s (%v)", want, got, err)
		}
	}
}
