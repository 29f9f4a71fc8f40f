package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
)

// serveJobs is the life of a part that does jobs: it says that it is ready, and then answers
// one job after another, of its input and to its output as JSON, until the input ends. An
// error of do ends the part.
func serveJobs[Job, Answer any](ready any, do func(Job) (Answer, error)) error {
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(ready); err != nil {
		return err
	}
	for in := json.NewDecoder(os.Stdin); ; {
		var job Job
		if err := in.Decode(&job); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		answer, err := do(job)
		if err != nil {
			return err
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
}
