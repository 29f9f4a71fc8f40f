package main

import "slices"

// cases are all kinds of work, in the table's order.
func cases() []Case {
	return slices.Concat(
		bulkCases(),
		smallCases(),
		listCases(),
		loginCases(),
		timingCases(),
		mixedCases(),
		slowCases(),
		idleCases(),
		budgetCases(),
		sizeCases(),
		wanCases(),
		cacheCases(),
	)
}
