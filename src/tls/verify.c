/* verify */
typedef int verify_placeholder;
