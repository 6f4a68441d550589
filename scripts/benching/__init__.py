"""measure cw beside tmux, screen and dtach"""
