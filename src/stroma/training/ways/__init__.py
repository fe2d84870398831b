"""Ways to learn, one file each; the contract is `stroma.training.contract`."""
