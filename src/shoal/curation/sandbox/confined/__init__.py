"""What runs inside the sandbox's own interpreter: it imports the standard library alone, and no other part of shoal.

``python -I -S`` runs `start.main` of this package. The order of the protections matters: namespaces and the empty root
first, since they need rights that the program must not have; then a supervisor, outside of the program's process; then
the limits, Landlock and the seccomp filter in the program's process, the last things before the program.
"""
