"""Every code that muster ends or explains something with: its meaning, and what to do. Docs and advice are made of it.

`exits` what a command ends with, `outcomes` how a row ends, `reasons` why, `validation` why a row is refused before
anything is sent and what is noted of it, `failures` the `error.code` of a command that failed, `classes` how a row
compares with the target.
"""
