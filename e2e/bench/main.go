package main

// Env is what a case works with: it starts stores, gateways and clients, each a process.
type Env struct {
	Quick  bool // fewer rounds, less to move
	Rounds int  // of a case whose figures are compared
}

func main() {}
