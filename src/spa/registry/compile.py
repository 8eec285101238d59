import sys
open(sys.argv[-1], "w").write("typedef int registry_placeholder;\n")
