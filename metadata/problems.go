package metadata

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/weftbox/weftbox/definitions"
)

// Problems of metadata that is no definition's text. Their Path names the field ("/name", "/config/limit"); they have no line: Line
// and Column are 0.
const (
	codeName       = "WB1251"
	codeURL        = "WB1252"
	codeVersion    = "WB1253"
	codeDefinition = "WB1254"
	codeConfig     = "WB1255"
	codeState      = "WB1256"
	codeBehavior   = "WB1257"
	codeSetting    = "WB1258"
	codeConfigKey  = "WB2251"
	codeMonitor    = "WB2252"
)

// Codes returns the codes of problems with metadata, in ascending order; those of definitions are definitions.Codes.
func Codes() []definitions.Code {
	const bad, warn = definitions.SeverityError, definitions.SeverityWarning
	return []definitions.Code{
		{Code: codeName, Severity: bad, Text: "A name cannot be used.", Fix: "Names of services are identifiers; other names hold no slash and no control character, are no number and at most 200 bytes long.",
			Example: "services:\n  - name: coupon-service\n    url: http://127.0.0.1:9001/", Better: "services:\n  - name: coupon\n    url: http://127.0.0.1:9001/",
			TextZh: "名字不能用。", FixZh: "服务名要是标识符；其他名字不含斜杠和控制字符，不是数字，最多 200 字节。"},
		{Code: codeURL, Severity: bad, Text: "The URL of a service cannot be used.", Fix: "Write an absolute http or https URL without a user name, a password or a fragment.",
			Example: "services:\n  - name: coupon\n    url: 127.0.0.1:9001", Better: "services:\n  - name: coupon\n    url: http://127.0.0.1:9001/",
			TextZh: "服务的 URL 不能用。", FixZh: "写绝对的 http 或 https URL，不带用户名、密码和片段。"},
		{Code: codeVersion, Severity: bad, Text: "The version of a definition cannot be used.", Fix: "Use letters and digits in parts joined by dots, or name none: the next number is drawn.",
			Example: "weftbox apply -f flow.yaml --version 2-beta", Better: "weftbox apply -f flow.yaml --version 2.beta",
			TextZh: "定义的版本不能用。", FixZh: "用字母和数字，可以用点分段；不写则取下一个数字。"},
		{Code: codeDefinition, Severity: bad, Text: "An activity names a definition that is not there, or that has no enabled version which can run now.", Fix: "Correct the name, or post a version without errors.",
			Example: "activities:\n  - name: autumn\n    definition: cuopon", Better: "activities:\n  - name: autumn\n    definition: coupon",
			TextZh: "活动所指的定义不存在，或没有现在能运行的启用版本。", FixZh: "改正名字，或提交一个没有错误的版本。"},
		{Code: codeConfig, Severity: bad, Text: "The config of an activity holds what a config cannot hold.", Fix: "Use the values that YAML and JSON have, nested at most 64 deep, 1 MiB together.",
			Example: "activities:\n  - name: autumn\n    definition: coupon\n    config: {days: [⟨0.5, , 100000 times⟩]}", Better: "activities:\n  - name: autumn\n    definition: coupon\n    config: {days: [0.5]}",
			TextZh: "活动的 config 里有不能放的东西。", FixZh: "用 YAML 和 JSON 都有的值，嵌套最多 64 层，合计 1 MiB。"},
		{Code: codeState, Severity: bad, Text: "An activity has no such state. No command and no post leads to it; only a damaged store does.", Fix: "Restore a backup.",
			TextZh: "活动没有这种状态。任何命令和提交都不会造成它，只有损坏的存储会。", FixZh: "恢复备份。"},
		{Code: codeBehavior, Severity: bad, Text: "A stored definition uses an action type that this program does not carry. A post of such a text is refused with WB1201: it comes when a node with types of its own is replaced by one without.", Fix: "Run a program that carries it, or post a version without it.",
			TextZh: "已存的定义用了本程序没有的动作类型。提交这样的文本会以 WB1201 被拒绝：只有当带有自有类型的节点换成没有它们的节点时才会出现。", FixZh: "运行带有它的程序，或提交不用它的版本。"},
		{Code: codeSetting, Severity: bad, Text: `A config item that begins with "$" is no setting of the engine, or has a value that the setting cannot have.`, Fix: "Correct it; items of your own do not begin with $.",
			Example: "activities:\n  - name: autumn\n    definition: coupon\n    config: {$keep_sleep: maybe}", Better: "activities:\n  - name: autumn\n    definition: coupon\n    config: {$keep_sleep: true}",
			TextZh: "以 \"$\" 开头的配置项不是引擎的设置，或设置的值不允许。", FixZh: "改正它；自己的配置项不以 $ 开头。"},
		{Code: codeConfigKey, Severity: warn, Text: "The config of an activity has an item that its definition's config does not have.", Fix: "Correct the name, or add the item to the definition.",
			Example: "activities:\n  - name: autumn\n    definition: coupon\n    config: {dyas: 3}", Better: "activities:\n  - name: autumn\n    definition: coupon\n    config: {days: 3}",
			TextZh: "活动的 config 里有定义的 config 所没有的项。", FixZh: "改正名字，或把这一项加到定义里。"},
		{Code: codeMonitor, Severity: warn, Text: "The config of an activity names a service as monitor that is not registered: nobody is told until it is.", Fix: "Correct the name, or register the service.",
			Example: "activities:\n  - name: autumn\n    definition: coupon\n    config: {$monitors: [{service: psuh}]}", Better: "activities:\n  - name: autumn\n    definition: coupon\n    config: {$monitors: [{service: push}]}",
			TextZh: "活动的 config 里作为监视者的服务没有注册：注册之前没有人会被通知。", FixZh: "改正名字，或注册这个服务。"},
	}
}

// Limits of what is stored, in bytes.
const (
	MaxNameBytes    = 200
	MaxVersionBytes = 64
	MaxURLBytes     = 2048
	MaxConfigBytes  = 1 << 20 // as EncodeConfig writes it
)

var (
	identifier = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z_0-9]*(\.[a-zA-Z_][a-zA-Z_0-9]*)*$`)
	version    = regexp.MustCompile(`^[a-zA-Z0-9]+(\.[a-zA-Z0-9]+)*$`)
	digits     = regexp.MustCompile(`^[0-9]+$`)
)

// reserved names mean something in routes and addresses.
const reserved = "dapr"

func problem(code, path, message, hint string) definitions.Problem {
	return definitions.Problem{Code: code, Severity: definitions.SeverityError, Path: path, Message: message, Hint: hint}
}

func warning(code, path, message, hint string) definitions.Problem {
	p := problem(code, path, message, hint)
	p.Severity = definitions.SeverityWarning
	return p
}

func hasError(problems []definitions.Problem) bool {
	for _, p := range problems {
		if p.Severity == definitions.SeverityError {
			return true
		}
	}
	return false
}

// checkName checks a name that people write in routes and expressions: any script, no control characters, no slash, not a number
// (numbers address activities).
func checkName(kind, name string) []definitions.Problem {
	bad := func(why, hint string) []definitions.Problem {
		return []definitions.Problem{problem(codeName, "/name", kind+" name "+quoted(name)+" "+why, hint)}
	}
	switch {
	case name == "":
		return []definitions.Problem{problem(codeName, "/name", "the "+kind+" has no name", `write a name, like "by_user"`)}
	case len(name) > MaxNameBytes:
		return bad(fmt.Sprintf("has %d bytes, at most %d are allowed", len(name), MaxNameBytes), "use a shorter name")
	case !utf8.ValidString(name):
		return bad("is not UTF-8", "send the text as UTF-8")
	case strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return bad("holds a control character", "leave out tabs, line ends and other control characters")
	case strings.Contains(name, "/"):
		return bad("holds a slash, which separates the parts of an address", `write "-" or "_" instead`)
	case strings.TrimSpace(name) != name:
		return bad("begins or ends with a space", "leave the space out")
	case digits.MatchString(name):
		return bad("has digits only: it would read as a number", "put a letter in front")
	case name == "." || name == "..":
		return bad("is a step in a path, not a name", "use letters")
	case kind == "activity" && name == reserved:
		return bad("is reserved", "use another name")
	}
	return nil
}

func quoted(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

func checkService(s Service, builtin map[string]*definitions.Spec) []definitions.Problem {
	var out []definitions.Problem
	switch {
	case s.Name == "" || len(s.Name) > MaxNameBytes || !identifier.MatchString(s.Name):
		out = append(out, problem(codeName, "/name", "service name "+quoted(s.Name)+" cannot be an action type",
			`use ASCII letters, digits and "_", parts joined by ".", no part beginning with a digit, at most 200 bytes: "coupon", "mail.send"`))
	case builtin[s.Name] != nil:
		out = append(out, problem(codeName, "/name", "service name "+quoted(s.Name)+" is a built-in action type: no action could ever reach the service", "use another name"))
	case s.Name == reserved:
		out = append(out, problem(codeName, "/name", "service name "+quoted(s.Name)+" is reserved", "use another name"))
	}
	if why := badURL(s.URL); why != "" {
		out = append(out, problem(codeURL, "/url", "service URL "+quoted(redacted(s.URL))+" "+why, `write it like "http://coupon:8080/actions"`))
	}
	return out
}

func badURL(text string) string {
	if text == "" {
		return "is empty"
	}
	if len(text) > MaxURLBytes {
		return fmt.Sprintf("has %d bytes, at most %d are allowed", len(text), MaxURLBytes)
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r <= 0x20 || r == 0x7f }) {
		return "holds a space or a control character"
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "is not readable"
	case u.Scheme != "http" && u.Scheme != "https":
		return "does not begin with http:// or https://"
	case u.Hostname() == "":
		return "names no host"
	case u.User != nil:
		return "holds a user name or password, which would be stored and shown in the clear"
	case u.Fragment != "":
		return `holds a fragment ("#…"), which no server ever sees`
	}
	return ""
}

// redacted keeps a password out of the message that complains about it.
func redacted(text string) string {
	if at := strings.LastIndex(text, "@"); at >= 0 {
		if start := strings.Index(text, "://"); start >= 0 && start < at {
			return text[:start+3] + "…" + text[at:]
		}
		return "…" + text[at:]
	}
	return text
}

func checkVersion(v string) []definitions.Problem {
	if v == "" || len(v) <= MaxVersionBytes && version.MatchString(v) {
		return nil
	}
	return []definitions.Problem{problem(codeVersion, "/version", "version "+quoted(v)+" is not usable",
		`use ASCII letters and digits, parts joined by ".", at most 64 bytes: "7", "1.2", "2024.a"; or name none and the next number is drawn`)}
}
