package messagebus

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/expr"
)

func appendRequest(dst []byte, r *Request) []byte {
	dst = append(dst, `{"type":"req","sender":`...)
	dst = appendText(dst, r.Sender)
	dst = append(dst, `,"receiver":`...)
	dst = appendText(dst, r.Service)
	dst = append(dst, `,"attr":{"request_id":`...)
	dst = appendText(dst, r.RequestID)
	dst = append(dst, `,"activity":`...)
	dst = strconv.AppendUint(dst, uint64(r.Activity), 10)
	dst = append(dst, `,"domain":`...)
	dst = appendText(dst, r.Domain)
	dst = append(dst, `,"action":`...)
	dst = appendText(dst, r.Action)
	dst = append(dst, `,"args":`...)
	dst = appendValue(dst, r.Args)
	dst = append(dst, `,"ignore_result":`...)
	dst = strconv.AppendBool(dst, r.IgnoreResult)
	dst = append(dst, `},"time":`...)
	dst = strconv.AppendInt(dst, r.TimeMs, 10)
	return append(dst, '}')
}

func appendEvent(dst []byte, e *activity.Event) []byte {
	dst = append(dst, `{"type":`...)
	dst = appendText(dst, e.Type)
	dst = appendField(dst, "id", e.ID)
	dst = appendField(dst, "sender", e.Sender)
	dst = appendField(dst, "receiver", e.Receiver)
	if e.Attrs != nil {
		dst = append(dst, `,"attr":`...)
		dst = appendMap(dst, e.Attrs)
	}
	dst = append(dst, `,"time":`...)
	return append(appendTime(dst, e.TimeMs), '}')
}

func appendReply(dst []byte, r *Reply) []byte {
	status := "fail"
	if int(r.Result.Status) < len(resultStatuses) {
		status = resultStatuses[r.Result.Status]
	}
	dst = append(dst, `{"type":"res","attr":{"status":"`...)
	dst = append(append(dst, status...), '"')
	dst = appendField(dst, "request_id", r.RequestID)
	if r.Activity != 0 {
		dst = append(dst, `,"activity":`...)
		dst = strconv.AppendUint(dst, uint64(r.Activity), 10)
	}
	dst = appendField(dst, "domain", r.Domain)
	dst = appendField(dst, "action", r.Action)
	dst = appendField(dst, "error_code", r.Result.ErrorCode)
	dst = appendField(dst, "message", r.Result.Message)
	if r.Result.Data != nil {
		dst = append(dst, `,"data":`...)
		dst = appendMap(dst, r.Result.Data)
	}
	dst = append(dst, `},"time":`...)
	return append(appendTime(dst, r.TimeMs), '}')
}

// appendField appends ,"key":"value", or nothing for an empty value.
func appendField(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, `,"`...), key...), `":`...)
	return appendText(dst, value)
}

func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return appendText(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case uint32:
		return strconv.AppendUint(dst, uint64(v), 10)
	case float64:
		return appendFloat(dst, v, 64)
	case float32:
		return appendFloat(dst, float64(v), 32)
	case *expr.Decimal:
		return appendDecimal(dst, v)
	case []any:
		return appendList(dst, v)
	case map[string]any:
		return appendMap(dst, v)
	case map[any]any:
		return appendMixedMap(dst, v)
	case expr.Control:
		return appendText(dst, v.String())
	}
	return appendText(dst, fmt.Sprint(v))
}

func appendList(dst []byte, l []any) []byte {
	dst = append(dst, '[')
	for i, v := range l {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, v)
	}
	return append(dst, ']')
}

func appendMap(dst []byte, m map[string]any) []byte {
	var few [16]string
	keys := few[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	dst = append(dst, '{')
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, k), ':')
		dst = appendValue(dst, m[k])
	}
	return append(dst, '}')
}

// appendMixedMap writes keys as their texts. Where a text key and another have the same text ("7" and 7) JSON can hold one: the text key's.
func appendMixedMap(dst []byte, m map[any]any) []byte {
	texts := make(map[string]any, len(m))
	for k, v := range m {
		if _, isText := k.(string); !isText {
			texts[keyText(k)] = v
		}
	}
	for k, v := range m {
		if s, isText := k.(string); isText {
			texts[s] = v
		}
	}
	return appendMap(dst, texts)
}

func keyText(k any) string {
	if s, ok := k.(string); ok {
		return s
	}
	return string(appendValue(nil, k))
}

// appendFloat keeps a float a fraction ("1.0"), as the original's JSON did, so that it is never read back as an integer.
func appendFloat(dst []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, format, -1, bits)
	if format == 'f' && bytes.IndexByte(dst[start:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}

// appendDecimal writes the digits as they are: 1.50, 1E+3, 0E-7 are all JSON numbers.
func appendDecimal(dst []byte, d *expr.Decimal) []byte {
	if d == nil || d.Form != 0 { // infinite or not a number
		return append(dst, "null"...)
	}
	return d.Append(dst, 'G')
}

const hexDigits = "0123456789abcdef"

// appendText writes a string; what is not UTF-8 becomes U+FFFD.
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if !special[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[from:i]...)
				dst = append(dst, "\uFFFD"...)
				from = i + 1
			}
			i += size
			continue
		}
		dst = append(dst, s[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}
