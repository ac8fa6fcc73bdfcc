package slots

func g() {} // XXX
