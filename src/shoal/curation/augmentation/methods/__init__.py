"""The methods of augmentation, one file each; a subclass of `Augmenter` with a name is found by it."""
