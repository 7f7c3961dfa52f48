//! The small mesh is the whole one: its points are those that are used, its weights are rounded.

use sight::layers::Layers;
use sight::mesh::{self, Mesh, NAMED};
use sight::place::Place;
use sight::{Action, Image, Pose, progress};

use crate::{eye, faces, framed, is_near, read};

const SIDE: usize = 192;

fn run(layers: &Layers, chip: &Image) -> Vec<Vec<f32>> {
    let [outputs] = <[_; 1]>::try_from(layers.run(1, |_, y, row| {
        for (number, byte) in row.iter_mut().zip(&chip.data()[y * SIDE * 3..]) {
            *number = f32::from(*byte) / 255.0;
        }
    }))
    .unwrap();
    outputs
}

#[test]
fn each_named_point_lies_where_the_whole_mesh_has_it() {
    let whole = Layers::load(&read("default/facemesh.onnx"), SIDE)
        .unwrap()
        .0;
    let small = Layers::load(&read("guide/mesh.onnx"), SIDE).unwrap().0;
    for photo in faces() {
        let photo = framed(
            &face::decode_photo(&photo, &face::Limits::default()).unwrap(),
            0.0,
            1.0,
        );
        let mut eye = eye();
        eye.look(&photo).unwrap().expect("a face is there");
        let square = mesh::square(eye.shape().unwrap(), SIDE);
        let chip = photo.warped(square, SIDE).unwrap();
        let (all, some) = (run(&whole, &chip), run(&small, &chip));
        assert!(is_near(all[1][0], some[1][0], 0.01));
        let all = Mesh::read(&all[0], 1.0, square);
        let some = Mesh::read_named(&some[0], 1.0, square);
        // The face's side is about 90 pixels here.
        for i in NAMED {
            for (a, b) in all.deep(i).into_iter().zip(some.deep(i)) {
                assert!(is_near(a, b, 1.5), "point {i}: {a} and {b}");
            }
        }
        let (a, b) = (Pose::of(&all), Pose::of(&some));
        assert!(is_near(a.yaw, b.yaw, 1.5), "{a:?} {b:?}");
        for action in Action::ASKED {
            let way = progress(action, &a, &b);
            assert!(way.abs() < 0.2, "{action:?} seems to be done by {way}");
        }
        assert!(Place::of_five(some.five()).unwrap().fits(&all.five()));
    }
}
