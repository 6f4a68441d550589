"""plain blocking code that talks to a daemon and looks at sessions; never imports trio"""
