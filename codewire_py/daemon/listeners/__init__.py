"""where peers come from and who they are"""
