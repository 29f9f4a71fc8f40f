package backendtest

import "slices"

// testCase is one clause of the contract. Where it is a promise to users as well, or an
// attack to survive, the name has the number of that.
type testCase struct {
	name string
	run  func(*store)
}

// cases are all of them.
func cases() []testCase {
	return slices.Concat(uploadCases(), parkedCases(), appendCases(), readCases(), changeCases())
}

// uploadCases: how objects come to be.
func uploadCases() []testCase {
	return []testCase{
		{"Upload/Sizes", uploadSizes},
		{"Upload/KeepsNothingOfP", uploadKeepsNothingOfP},
		{"Upload/NothingWritten", uploadNothingWritten},
		{"Upload/Invisible", uploadInvisible},
		{"Upload/OldUntilCommit", uploadOldUntilCommit},
		{"Upload/Metadata", uploadMetadata},
		{"Upload/Interleaved", uploadInterleaved},
		{"Abort/LeavesNothing", abortLeavesNothing},
		{"Abort/AfterCommit", abortAfterCommit},
		{"Abort/AfterCancel", abortAfterCancel},
		{"Abort/Ends", abortEnds},
		{"Cancel/BeforeCreate", cancelBeforeCreate},
		{"Cancel/Upload", cancelUpload},
		{"Cancel/Read", cancelRead},
		{"Cancel/List", cancelList},
		{"Cancel/Verbs", cancelVerbs},
		{"Condition/IfAbsent", createIfAbsent},
		{"Condition/IfMatch", createIfMatch},
		{"Condition/Meanwhile", createMeanwhile},
		{"Race/IfAbsent", raceIfAbsent},
		{"Race/IfMatch", raceIfMatch},
		{"Race/LastWins", raceLastWins},
	}
}

// parkedCases: uploads that outlive their writer.
func parkedCases() []testCase {
	return []testCase{
		{"Park/S13_Sizes", parkSizes},
		{"Park/Nothing", parkNothing},
		{"Park/S12_Invisible", parkInvisible},
		{"Park/S13_AfterCancel", parkAfterCancel},
		{"Park/Ends", parkEnds},
		{"Park/S13_Properties", parkProperties},
		{"Park/Keys", parkKeys},
		{"Park/Unsupported", parkUnsupported},
		{"Parked/S13_Queries", parkedQueries},
		{"Parked/S13_Several", parkedSeveral},
		{"Parked/Cancel", parkedCancel},
		{"Parked/Tags", parkedTags},
		{"Discard/S17_Twice", discardTwice},
		{"Discard/S17_Stale", discardStale},
		{"Discard/S17_Resumed", discardResumed},
		{"Resume/S13_Sizes", resumeSizes},
		{"Resume/S13_Cuts", resumeCuts},
		{"Resume/S13_Beyond", resumeBeyond},
		{"Resume/Nothing", resumeNothing},
		{"Resume/S13_Chain", resumeChain},
		{"Resume/S17_Abort", resumeAbort},
		{"Resume/Gone", resumeGone},
		{"Resume/S13_Reopened", resumeReopened},
		{"Resume/S16_Conditions", resumeConditions},
		{"Resume/S15_Race", resumeRace},
		{"Resume/S13_NotGrafted", resumeNotGrafted},
		{"Crash/S13_Resume", crashResume},
		{"Crash/S17_Discard", crashDiscard},
		{"Crash/Busy", crashBusy},
		{"Zombie/Abort", zombieAbort},
		{"Zombie/Park", zombiePark},
		{"Zombie/S15_CommitsLast", zombieCommitsLast},
		{"Zombie/S15_CommitsFirst", zombieCommitsFirst},
	}
}

// appendCases: uploads that keep something, or give way.
func appendCases() []testCase {
	return []testCase{
		{"Append/S14_Sizes", appendSizes},
		{"Append/S14_Cuts", appendCuts},
		{"Append/S14_Beyond", appendBeyond},
		{"Append/S14_ChangedBefore", appendChangedBefore},
		{"Append/S14_ChangedMeanwhile", appendChangedMeanwhile},
		{"Append/S10_OldUntilCommit", appendOldUntilCommit},
		{"Append/S17_Abort", appendAbort},
		{"Append/X15_Race", appendRace},
		{"Append/S14_Often", appendOften},
		{"Append/S13_Parked", appendParked},
		{"Append/ParkedNothing", appendParkedNothing},
		{"Append/S14_ParkedChanged", appendParkedChanged},
		{"Alternate/Free", alternateFree},
		{"Alternate/S16_InTurn", alternateInTurn},
		{"Alternate/S16_Race", alternateRace},
	}
}

// readCases: what readers see.
func readCases() []testCase {
	return []testCase{
		{"Open/Ranges", openRanges},
		{"Open/PartRanges", openPartRanges},
		{"Open/Empty", openEmpty},
		{"Open/IfMatch", openIfMatch},
		{"Open/ReplacedMeanwhile", openReplacedMeanwhile},
		{"Open/DeletedMeanwhile", openDeletedMeanwhile},
		{"Missing", missing},
		{"List/Empty", listEmpty},
		{"List/Prefix", listPrefix},
		{"List/Delimiter", listDelimiter},
		{"List/Limit", listLimit},
		{"List/Many", listMany},
		{"List/Describes", listDescribes},
		{"List/Shifts", listShifts},
		{"List/ShiftsDelimited", listShiftsDelimited},
		{"List/Entries", listEntries},
		{"List/Fresh", listFresh},
		{"List/FreshAfterPages", listFreshAfterPages},
		{"Keys/Awkward", keysAwkward},
		{"Keys/Invalid", keysInvalid},
		{"Keys/Case", keysCase},
		{"Keys/Beside", keysBeside},
		{"Keys/Marker", keysMarker},
	}
}

// changeCases: how objects change their place.
func changeCases() []testCase {
	return []testCase{
		{"MoveTree/S31_Content", moveTreeContent},
		{"MoveTree/Refused", moveTreeRefused},
		{"MoveTree/Unsupported", moveTreeUnsupported},
		{"Delete/Plain", deletePlain},
		{"Delete/IfMatch", deleteIfMatch},
		{"Copy/Content", copyContent},
		{"Copy/OntoItself", copyOntoItself},
		{"Copy/SourceIfMatch", copySourceIfMatch},
		{"Copy/IfAbsent", copyIfAbsent},
		{"Copy/IfMatch", copyIfMatch},
		{"Move/Content", moveContent},
		{"Move/OntoItself", moveOntoItself},
		{"Move/SourceIfMatch", moveSourceIfMatch},
		{"Move/IfAbsent", moveIfAbsent},
	}
}
