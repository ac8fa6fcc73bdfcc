package messagebus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// event200 is a 200-byte event as a shop would post it.
const event200 = `{"type":"user_behavior","id":"0192f1c2-7a31","attr":{"behavior":"view_product","user_id":10010,"goods_id":"PS5-2002","goods_title":"Sony PS5","price":499.90,"channel":"app"},"timestamp":1561269531131}`

func TestEvent200(t *testing.T) {
	if len(event200) != 200 {
		t.Fatalf("expected an event of 200 bytes, it has %d", len(event200))
	}
	body := []byte(event200)
	allocs := testing.AllocsPerRun(1000, func() { _, _, _, _ = DecodeJSON(body, now, Limits{}) })
	if allocs > 20 {
		t.Errorf("decoding a 200-byte event: expected at most 20 allocations, got %v", allocs)
	}
}

// events200 are 200-byte events that differ in who, what and when, so that no text met before helps more than in life.
func events200() [][]byte {
	out := make([][]byte, 1000)
	for i := range out {
		e := strings.Replace(event200, "0192f1c2-7a31", fmt.Sprintf("%08x-%04x", i*2654435761, i), 1)
		e = strings.Replace(e, "10010", strconv.Itoa(10000+i*7), 1)
		e = strings.Replace(e, "PS5-2002", fmt.Sprintf("PS5-%04d", i*13%10000), 1)
		out[i] = []byte(strings.Replace(e, "1561269531131", strconv.Itoa(1561269531131+i), 1))
	}
	return out
}

func BenchmarkDecodeEvent200(b *testing.B) {
	bodies := events200()
	b.SetBytes(int64(len(event200)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, _, _, err := DecodeJSON(bodies[i%len(bodies)], now, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeEvent200Std is what encoding/json needs for the same texts, without the checks that it lacks and without making the message.
func BenchmarkDecodeEvent200Std(b *testing.B) {
	bodies := events200()
	b.SetBytes(int64(len(event200)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d := json.NewDecoder(bytes.NewReader(bodies[i%len(bodies)]))
		d.UseNumber()
		var m map[string]any
		if err := d.Decode(&m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeArray100(b *testing.B) {
	body := append(append([]byte("["), bytes.Join(events200()[:100], []byte(","))...), ']')
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, err := DecodeJSON(body, now, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
