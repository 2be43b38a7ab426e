#ifndef CLIBXML2_H
#define CLIBXML2_H

// The push parser and its SAX interface; the other headers of libxml2 stay out.
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#endif
