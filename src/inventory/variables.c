/* variables */
typedef int variables_placeholder;
