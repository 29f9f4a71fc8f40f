// Package sim simulates the gateway: the engine, the views and the cache over a store that
// fails, with clients that fail, over connections in memory and in virtual time, all drawn
// from a seed. It is made of tests alone.
//
// Beside the gateway runs a small reference model. It sits right above the store, where it
// sees each change as it happens (type ledger), and at the clients, which know what they
// have sent and were told (type op). After every step it holds the invariants I1 to I7 of
// the fault model against the two. Its central type is world.
//
// A seed that fails is printed and becomes a file in testdata, whose seeds are run again
// every time. SIM_SEED runs one seed, SIM_TIME runs new seeds for as long, SIM_COMMANDS
// until so many commands were sent.
package sim
