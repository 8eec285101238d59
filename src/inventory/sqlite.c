/* sqlite */
typedef int sqlite_placeholder;
