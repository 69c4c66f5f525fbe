mod causes;
mod demand;
mod evidence;
mod world;
