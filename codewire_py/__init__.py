"""Codewire: programs in terminals that outlive whoever looks at them."""
