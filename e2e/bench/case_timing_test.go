package main

import (
	"math/rand/v2"
	"testing"
)

// TestKolmogorov tells what is drawn alike from what is moved by half a deviation.
func TestKolmogorov(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := func(by float64) []float64 {
		list := make([]float64, 500)
		for i := range list {
			list[i] = r.NormFloat64() + by
		}
		return list
	}
	a := draw(0)
	if p := kolmogorov(a, a); p != 1 {
		t.Errorf("of itself: %v", p)
	}
	if p := kolmogorov(a, draw(0)); p < 0.01 {
		t.Errorf("drawn alike: %v", p)
	}
	if p := kolmogorov(a, draw(0.5)); p > 1e-6 {
		t.Errorf("moved: %v", p)
	}
	if p := kolmogorov([]float64{1, 2, 3}, []float64{4, 5, 6}); p > 0.1 {
		t.Errorf("apart: %v", p)
	}
}
