package api

import "fmt"

// language is the sentences of a thread's story in one language. Each text has a form for fmt; all languages have the same keys with as many
// arguments.
type language struct {
	stop  string // ends a sentence
	texts map[string]string
	words map[string]string // statuses and sorts of messages
}

func (w *language) knows(key string) bool { return w.texts[key] != "" }

func (w *language) text(key string, args ...any) string { return fmt.Sprintf(w.texts[key], args...) }

func (w *language) word(s string) string {
	if t := w.words[s]; t != "" {
		return t
	}
	return s
}

// storyWords are the languages.
var storyWords = map[string]*language{"en": &english, "zh": &chinese}

var english = language{
	stop: ".",
	texts: map[string]string{
		"absent":          "There is no thread %q of activity %s, and none is remembered.",
		"born":            "Run %d of thread %q was born: activity %s, definition %s, version %s.",
		"no_lines":        "What became of its single messages was not kept: the config item $verdicts: true does that.",
		"older":           "Only its last %d messages are kept.",
		"event_id":        "Event %s (id %s)",
		"subject_event":   "Event %s",
		"subject_reply":   "The answer to action %s",
		"subject_alarm":   "The alarm (%s)",
		"subject_command": "The command %s",
		"subject_other":   "A message %s",
		"spawned":         "%s gave birth to it",
		"taken_by":        "%s was taken by clause %d of action %s",
		"taken":           "%s was taken by action %s",
		"carried_out":     "%s was carried out",
		"refused":         "%s was refused: %s",
		"dropped":         "%s was dropped: action %s had no use for it",
		"parked":          "%s was kept until the thread can take it",
		"kept":            "%s was kept until an action wants it",
		"late":            "%s came too late: nobody waited for it any more",
		"duplicate":       "%s was dropped: it was applied before",
		"dead_letter":     "%s could not be taken and is a dead letter: %s",
		"verdict":         "%s: %s",
		"then_at":         "; it then stood at %s",
		"then_ended":      "; with that it %s",
		"then_failed":     "; with that it failed: %s",
		"waiting":         "It waits at action %s.",
		"running":         "It has more to do at action %s and goes on by itself.",
		"paused":          "It is paused at action %s: its messages are kept.",
		"stalled":         "It is stalled at action %s (%s: %s): once that is mended, resume lets it go on.",
		"failed":          "It failed at action %s: %s.",
		"ended":           "It %s at action %s.",
		"alarm":           "Then its alarm comes, unless it has gone on.",
		"request":         "It waits for the answer to the request of action %s.",
		"mail":            "%d messages are kept for it.",
		"activity":        "The activity %s is %s.",
		"other_run":       "Run %d of this thread %s at action %s.",
		"letter":          "A dead letter concerns it: the %s could not be taken (%s: %s); weftbox dead-letters get %s",
		"more_letters":    "There may be more dead letters: weftbox dead-letters list.",
	},
	words: map[string]string{"killed": "was killed", "": "message"},
}

var chinese = language{
	stop: "。",
	texts: map[string]string{
		"absent":          "没有线程 %q（活动 %s），也没有它的历史记录。",
		"born":            "第 %d 次运行的线程 %q 诞生：活动 %s，定义 %s，版本 %s。",
		"no_lines":        "没有保存每条消息的去向：配置项 $verdicts: true 可以开启。",
		"older":           "只保存了最近 %d 条消息。",
		"event_id":        "事件 %s（id %s）",
		"subject_event":   "事件 %s",
		"subject_reply":   "动作 %s 的应答",
		"subject_alarm":   "定时器（%s）",
		"subject_command": "命令 %s",
		"subject_other":   "消息 %s",
		"spawned":         "%s使它诞生",
		"taken_by":        "%s被第 %d 个分支（动作 %s）接收",
		"taken":           "%s被动作 %s 接收",
		"carried_out":     "%s已执行",
		"refused":         "%s被拒绝：%s",
		"dropped":         "%s被丢弃：动作 %s 不需要它",
		"parked":          "%s已保存，等线程可以接收时再投递",
		"kept":            "%s已保存，等某个动作需要它",
		"late":            "%s来得太晚：已没有人在等它",
		"duplicate":       "%s被丢弃：以前已处理过",
		"dead_letter":     "%s无法接收，成为死信：%s",
		"verdict":         "%s：%s",
		"then_at":         "；之后停在 %s",
		"then_ended":      "；线程随之%s",
		"then_failed":     "；线程随之失败：%s",
		"waiting":         "它在动作 %s 等待。",
		"running":         "它在动作 %s 还有工作，会自行继续。",
		"paused":          "它在动作 %s 被暂停：消息会保存下来。",
		"stalled":         "它停滞在动作 %s（%s：%s）：修复之后用 resume 让它继续。",
		"failed":          "它在动作 %s 失败：%s。",
		"ended":           "它%s，当时在动作 %s。",
		"alarm":           "到这时定时器会触发，除非它已经往前走。",
		"request":         "它在等动作 %s 的请求的应答。",
		"mail":            "为它保存了 %d 条消息。",
		"activity":        "活动 %s 的状态：%s。",
		"other_run":       "这个线程的第 %d 次运行%s，当时在动作 %s。",
		"letter":          "有一封与它有关的死信：%s无法接收（%s：%s）；weftbox dead-letters get %s",
		"more_letters":    "可能还有更多死信：weftbox dead-letters list。",
	},
	words: map[string]string{"finished": "已完成", "failed": "已失败", "killed": "被终止", "paused": "已暂停", "running": "运行中", "event": "事件", "reply": "应答", "alarm": "定时器",
		"command": "命令", "": "消息"},
}
