"""`python -I -m codewire_py.keeper NAME`, in the home directory, is the hatchery"""

from .hatchery import main

main()
