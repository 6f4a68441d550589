"""the trio process that knows all sessions of one home"""
