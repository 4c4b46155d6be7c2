"""From the ledger to the files of a run: the books are closed, the reports made and sealed."""
