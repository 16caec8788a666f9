"""From records to verdicts: statistics, agreement, conditions, gates; and verifying and comparing runs."""
