package transport

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
)

var errBusy, errFinal = errors.New("busy"), errors.New("final")

func busy(err error) bool { return errors.Is(err, errBusy) }

func TestRetryGivesUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, attempts, told := time.Now(), 0, 0
		err := Retry(backends.WithRetries(t.Context(), func() { told++ }), busy, func() error { attempts++; return errBusy })
		if !errors.Is(err, errBusy) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took > retryFor || attempts < 4 || told != attempts-1 {
			t.Errorf("%d attempts in %v, told of %d", attempts, took, told)
		}
	})
}

func TestRetryBeginsNothingAfterASlowAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		err := Retry(t.Context(), busy, func() error {
			attempts++
			time.Sleep(answerLimit) // a store that hangs
			return errBusy
		})
		if !errors.Is(err, errBusy) || attempts != 1 {
			t.Errorf("%d attempts, %v", attempts, err)
		}
	})
}

func TestRetryEnds(t *testing.T) {
	tests := []struct {
		name     string
		outcomes []error
		attempts int
		want     error
	}{
		{"success", []error{nil}, 1, nil},
		{"success at last", []error{errBusy, errBusy, nil}, 3, nil},
		{"final", []error{errFinal}, 1, errFinal},
		{"final at last", []error{errBusy, errFinal}, 2, errFinal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				err := Retry(t.Context(), busy, func() error {
					attempts++
					return test.outcomes[attempts-1]
				})
				if !errors.Is(err, test.want) || attempts != test.attempts {
					t.Errorf("%d attempts, %v; want %d, %v", attempts, err, test.attempts, test.want)
				}
			})
		})
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	attempts := 0
	err := Retry(ctx, busy, func() error {
		attempts++
		cancel()
		return errBusy
	})
	if !errors.Is(err, errBusy) || attempts != 1 {
		t.Errorf("%d attempts, %v", attempts, err)
	}
}

func TestSettle(t *testing.T) {
	const sent, found = "sent", "found"
	tests := []struct {
		name     string
		outcomes []error // of the attempts; the last one is repeated
		mine     bool
		want     string
		err      error
		looks    int
	}{
		{"success", []error{nil}, false, sent, nil, 0},
		{"refused", []error{errFinal}, true, "", errFinal, 0},
		{"lost, then done", []error{errBusy, nil}, false, sent, nil, 0},
		{"lost, then refused because of itself", []error{errBusy, errFinal}, true, found, nil, 1},
		{"lost, then refused because of another", []error{errBusy, errFinal}, false, "", errFinal, 1},
		{"lost for good, but carried out", []error{errBusy}, true, found, nil, 1},
		{"lost for good", []error{errBusy}, false, "", errBusy, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempts, looks := 0, 0
				got, err := Once[string]{
					Transient: busy,
					Send: func(context.Context) (string, error) {
						attempts++
						return sent, test.outcomes[min(attempts, len(test.outcomes))-1]
					},
					Mine: func(context.Context) (string, bool) {
						looks++
						return found, test.mine
					},
				}.Settle(t.Context())
				if got != test.want || !errors.Is(err, test.err) || looks != test.looks {
					t.Errorf("%q, %v, looked %d times; want %q, %v, %d", got, err, looks, test.want, test.err, test.looks)
				}
			})
		})
	}
}
