package slots

var other int
