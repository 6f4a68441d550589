"""what a terminal would show that was sent a stream; pure"""
