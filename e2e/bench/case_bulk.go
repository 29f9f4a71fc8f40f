package main

// bulkCases move large files.
func bulkCases() []Case { return nil }
