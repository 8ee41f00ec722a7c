/* placeholder until the first core file */
typedef int om_core_empty;
