package expr

// mix is the finisher of splitmix64: it spreads every bit of x over the whole word.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// draw returns the next 64 random bits of this seed. Another Seed, set by Reseed or directly, starts at its first draw.
func (s *Scope) draw() uint64 {
	if s.drawSeed != s.Seed {
		s.drawSeed, s.draws = s.Seed, 0
	}
	s.draws++
	return mix(mix(s.Seed+0x9e3779b97f4a7c15) + s.draws*0x9e3779b97f4a7c15)
}

// drawFloat returns a float in [0, 1).
func (s *Scope) drawFloat() float64 { return float64(s.draw()>>11) / (1 << 53) }

// drawBelow returns an evenly spread number in [0, n); n must be positive.
func (s *Scope) drawBelow(n uint64) uint64 {
	limit := -n % n // the numbers below it would come up too often
	for {
		if x := s.draw(); x >= limit {
			return x % n
		}
	}
}
