"""Where a dataset comes from: folders, archives, work folders, and what each file of them is."""
