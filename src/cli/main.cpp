#include "protean/cli/program.h"

int main(int argc, char** argv) { return protean::program(argc, argv); }
