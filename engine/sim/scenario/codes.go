package scenario

import "github.com/weftbox/weftbox/definitions"

// Codes returns the codes of problems with scenario files, in ascending order.
func Codes() []definitions.Code {
	const bad = definitions.SeverityError
	return []definitions.Code{
		{Code: codeSyntax, Severity: bad, Text: "A scenario file is no YAML.", Fix: "Check quotes and indentation at this place.",
			Example: "flow: flow.yaml\nscenarios:\n  - name: a coupon is sent\n    domain: \"1\"\n    steps:\n      - event: {type: visit, attr: {user_id: 1}\n      - expect: {state: waiting}", Better: "flow: flow.yaml\nscenarios:\n  - name: a coupon is sent\n    domain: \"1\"\n    steps:\n      - event: {type: visit, attr: {user_id: 1}}\n      - expect: {state: waiting}",
			TextZh: "场景文件不是 YAML。", FixZh: "检查这里的引号和缩进。"},
		{Code: codeKey, Severity: bad, Text: "A key of a scenario is not known here, or stands twice.", Fix: "Correct its name or its indentation; the hint lists what is known.",
			Example: "flow: flow.yaml\nscenarios:\n  - name: a coupon is sent\n    domain: \"1\"\n    steps:\n      - event: {type: visit, attr: {user_id: 1}}\n      - expcet: {state: waiting}", Better: "flow: flow.yaml\nscenarios:\n  - name: a coupon is sent\n    domain: \"1\"\n    steps:\n      - event: {type: visit, attr: {user_id: 1}}\n      - expect: {state: waiting}",
			TextZh: "场景里的键这里不认识，或出现两次。", FixZh: "改正键名或缩进；提示里列出了认识的键。"},
		{Code: codeMissing, Severity: bad, Text: "A key that a scenario must have is missing.", Fix: "Add it.",
			Example: "flow: flow.yaml\nscenarios:\n  - name: a coupon is sent\n    domain: \"1\"\n    steps:\n      - event: {type: visit, attr: {user_id: 1}}\n      - expect: {}", Better: "flow: flow.yaml\nscenarios:\n  - name: a coupon is sent\n    domain: \"1\"\n    steps:\n      - event: {type: visit, attr: {user_id: 1}}\n      - expect: {state: waiting}",
			TextZh: "场景里缺少必须有的键。", FixZh: "把它加上。"},
		{Code: codeValue, Severity: bad, Text: "A value of a scenario has another form than expected.", Fix: "Write it as the hint says.",
			Example: "flow: flow.yaml\nscenarios:\n  - name: a coupon is sent\n    domain: \"1\"\n    steps:\n      - event: {type: visit, attr: {user_id: 1}}\n      - advance: two days\n      - expect: {state: waiting}", Better: "flow: flow.yaml\nscenarios:\n  - name: a coupon is sent\n    domain: \"1\"\n    steps:\n      - event: {type: visit, attr: {user_id: 1}}\n      - expect: {state: waiting}",
			TextZh: "场景里的值与所要求的形式不同。", FixZh: "照提示来写。"},
		{Code: codeName, Severity: bad, Text: "A scenario names what does not exist.", Fix: "Correct the name, or add what it means.",
			Example: "flow: flow.yaml\nscenarios:\n  - name: a coupon is sent\n    domain: \"1\"\n    steps:\n      - event: {type: visit, attr: {user_id: 1}}\n      - expect: {state: wating}", Better: "flow: flow.yaml\nscenarios:\n  - name: a coupon is sent\n    domain: \"1\"\n    steps:\n      - event: {type: visit, attr: {user_id: 1}}\n      - expect: {state: waiting}",
			TextZh: "场景里的名字没有对应的东西。", FixZh: "改正名字，或加上它所指的东西。"},
		{Code: codeFlow, Severity: bad, Text: "The flow, or a file that a scenario names, cannot be used.", Fix: "Paths are those from the scenario file's folder; weftbox lint says what is wrong with a flow.",
			Example: "flow: flows/flow.yaml\nscenarios:\n  - name: a coupon is sent\n    domain: \"1\"\n    steps:\n      - event: {type: visit, attr: {user_id: 1}}\n      - expect: {state: waiting}", Better: "flow: flow.yaml\nscenarios:\n  - name: a coupon is sent\n    domain: \"1\"\n    steps:\n      - event: {type: visit, attr: {user_id: 1}}\n      - expect: {state: waiting}",
			TextZh: "场景所指的流程或文件无法使用。", FixZh: "路径相对于场景文件所在的文件夹；流程有什么问题，weftbox lint 会说明。"},
	}
}
