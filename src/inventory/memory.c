/* memory */
typedef int memory_placeholder;
