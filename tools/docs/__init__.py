"""What the docs say of the code's tables is made from the tables.

``python3 -m tools.docs`` rewrites the parts of the pages between ``<!-- generated: NAME -->`` and ``<!-- end -->``;
``--check`` only tells which would change. A test compares, so a page and the code cannot differ.

 module      subject
 page        the marked parts of a page
 machines    the call machine and the run machine, as diagrams and tables
 tables      outcomes, reasons of the scheduler, the picture, the index of decisions
 settings    the settings of the configuration file
"""
