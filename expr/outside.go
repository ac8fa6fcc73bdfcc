package expr

// Draw returns a number in [0, 1): the next draw of the scope's seed, for actions that draw themselves.
func (s *Scope) Draw() float64 { return s.drawFloat() }

// ToFloat reads a number of any kind; everything else is an error.
func ToFloat(v any) (float64, error) {
	if _, err := numArg(v); err != nil {
		return 0, err
	}
	return toFloat(v), nil
}
