"""what lies in the home directory and how it is read, shared by daemon and client"""
