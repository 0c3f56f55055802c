"""Deciding a comparison while more processes may still be measured, with planned looks.

The unit is a quadruple A B B A: two fresh processes of every partner cell, run forward and then
back. Pure functions of numbers; what is decided follows from the processes and nothing else.
"""
