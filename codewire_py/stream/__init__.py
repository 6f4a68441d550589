"""the pure stream floor: what the bytes of a terminal mean, found without any input or output"""
