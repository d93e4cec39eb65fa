"""The demonstration: accounts, an open study of synthetic spines, a closed study of simulated readers.

Everything goes in through the doors that people use; nothing here writes a table.
"""
