"""Runs one Python program and prints its result and the seconds it took: python3 time-python.py PROGRAM ROUNDS"""

import importlib.util
import sys
from time import perf_counter

sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("program", sys.argv[1])
program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(program)
start = perf_counter()
result = program.run(int(sys.argv[2]))
print(result, perf_counter() - start)
