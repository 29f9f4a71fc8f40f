package main

import "slices"

// cases are all kinds of work, in the table's order.
func cases() []Case {
	return slices.Concat(
		bulkCases(),
		idleCases(),
		slowCases(),
		budgetCases(),
		sizeCases(),
		wanCases(),
	)
}
