/* fetch */
typedef int fetch_placeholder;
