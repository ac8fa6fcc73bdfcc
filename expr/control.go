package expr

// ControlKind is what a Control asks for.
type ControlKind uint8

// The kinds of Control. The zero value is no control at all.
const (
	ControlNone   ControlKind = iota
	ControlCall               // go to the action Target
	ControlFinish             // end well
	ControlFail               // end badly, with Reason (may be empty)
	ControlRetry              // run the current action again, at most Times more; then Then (nil: fail with retry_failure)
	ControlRepair             // wait for an operator, with the problem as Reason
)

// Control is the answer of call, finish, fail, failBecause and retry. It is an immutable value.
// Its text (String) is the string that the original passed around: "CALL name", "FINISH", "FAIL", "FAIL because r", "RETRY n", "RETRY n CALL x",
// "repairing problem".
type Control struct {
	Kind    ControlKind
	Target  string   // ControlCall
	Reason  string   // ControlFail, ControlRepair
	Times   int64    // ControlRetry
	Then    *Control // ControlRetry
	DelayMs int64    // ControlRetry: the pause before the first retry, doubled with each; 0: none
}
