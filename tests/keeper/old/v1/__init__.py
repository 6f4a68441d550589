"""keep programs alive in terminals; imports nothing of ours, and nobody imports it"""
