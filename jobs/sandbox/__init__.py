"""The sandbox: a local stand-in of the target systems, served over real sockets.

It is an independent oracle, written from the vendors' pages: nothing here imports the adapters, the keys, the masks
or any other module of the program, so that a mistake cannot agree with itself. It is not a mock of what the program
happens to send.

    server   a thread or a process that listens on loopback
    application   one exchange: journal, faults, the system's answer, the wire
    journal, faults, settings, control   the same for every system
    switches   how a system's own switches are read
    eclipse/   one system; its siblings (omnumi, azakaw, ...) are mounted beside it by their path prefix
"""
