"""recordings of real programs: what scripts/record is made of"""
